import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Dashboard } from '../dashboard.js';

/** The last guard: notes whose request it is. What that viewer may do is asked where it matters. */
@Injectable()
export class Admission implements CanActivate {
  constructor(private readonly dashboard: Dashboard) {}

  canActivate(context: ExecutionContext): boolean {
    this.dashboard.admit(context);
    return true;
  }
}

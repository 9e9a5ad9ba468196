import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { DashboardRefusal } from './refusal.js';
import { isGuardClass, type DashboardRole, type DashboardRoles } from '../dashboard.options.js';

export type RoleName = keyof DashboardRoles;

type Check = (context: ExecutionContext) => Promise<boolean>;

/** Asks the roles of the dashboard what the sender of a request may do. */
export class RoleChecks {
  private constructor(private readonly checks: Readonly<Partial<Record<RoleName, Check>>>) {}

  /** Classes of guards are made with what they depend on. */
  static async create(roles: DashboardRoles, moduleRef: ModuleRef): Promise<RoleChecks> {
    const checks: Partial<Record<RoleName, Check>> = {};
    for (const [name, role] of Object.entries(roles) as [RoleName, DashboardRole | undefined][])
      if (role !== undefined) checks[name] = await checkOf(role, moduleRef);
    return new RoleChecks(checks);
  }

  viewer(context: ExecutionContext): Viewer {
    return new Viewer(this.checks, context);
  }
}

/** The sender of a request. Each role is asked once, when it matters. */
export class Viewer {
  private readonly answers = new Map<RoleName, Promise<boolean>>();

  constructor(
    private readonly checks: Readonly<Partial<Record<RoleName, Check>>>,
    private readonly context: ExecutionContext,
  ) {}

  /** Who may not read may do nothing. Where `reveal` has no role of its own, whoever may act may reveal. */
  may(role: RoleName): Promise<boolean> {
    let answer = this.answers.get(role);
    if (answer === undefined) this.answers.set(role, (answer = this.ask(role)));
    return answer;
  }

  /** @throws DashboardRefusal naming the role */
  async require(role: RoleName): Promise<void> {
    if (!(await this.may(role))) throw new DashboardRefusal('forbidden', `This takes the role "${role}".`);
  }

  private async ask(role: RoleName): Promise<boolean> {
    const check = this.checks[role];
    if (role !== 'read' && !(await this.may('read'))) return false;
    if (check !== undefined) return allows(check, this.context);
    return role === 'reveal' ? this.may('act') : true;
  }
}

async function checkOf(role: DashboardRole, moduleRef: ModuleRef): Promise<Check> {
  if (isGuardClass(role)) return checkOfGuard(await moduleRef.create<CanActivate>(role));
  if (typeof role !== 'function') return checkOfGuard(role);
  const tells = role as (request: unknown) => unknown;
  return async (context) => (await tells(context.switchToHttp().getRequest())) === true;
}

function checkOfGuard(guard: CanActivate): Check {
  return async (context) => {
    const answer = guard.canActivate(context);
    return isObservable(answer) ? lastValueFrom(answer) : answer;
  };
}

/** A guard says no by false or by an error. */
async function allows(check: Check, context: ExecutionContext): Promise<boolean> {
  try {
    return await check(context);
  } catch {
    return false;
  }
}

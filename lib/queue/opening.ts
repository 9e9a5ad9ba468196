/** The opening of a storage that may be down when the application starts. It goes on in the background. */
export interface Opening {
  readonly isOpen: boolean;
  /** Resolves once the storage can be used. Never rejects; stays pending where it is stopped first. */
  readonly opened: Promise<void>;
  /** Gives it up where it has not succeeded. Never rejects. */
  stop(): Promise<void>;
}

/* Values that throw when they are touched. */

export const revoked = <T extends object>(target: T): T => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

export const throws = (make: () => unknown) => () => {
  throw make();
};

/** An object whose property throws when it is read. */
export const withTrap = <T extends object>(target: T, name: PropertyKey): T =>
  Object.defineProperty(target, name, {
    get: throws(() => new Error(`${String(name)} cannot be read`)),
    enumerable: true,
  });

/** A proxy all of whose traps throw. */
export const allTraps = () =>
  new Proxy(
    new Error('x'),
    Object.fromEntries(
      Object.getOwnPropertyNames(Reflect).map((trap) => [trap, throws(() => new Error(trap))]),
    ),
  );

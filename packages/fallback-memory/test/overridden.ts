/** An object with some members replaced. All other members are those of the original, private state included. */
export function overridden<Target extends object>(target: Target, members: Partial<Target>): Target {
  return new Proxy(target, {
    get(_, name) {
      const owner = name in members ? members : target;
      const member = Reflect.get(owner, name);
      return typeof member === "function" ? member.bind(owner) : member;
    },
  });
}

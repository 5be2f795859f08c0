// Nominal types over primitives: two numbers of different meaning do not mix by accident.
// A brand exists only for the type checker; at run time the value is the plain primitive.

export type Brand<T, B extends string> = T & { readonly __brand: B };

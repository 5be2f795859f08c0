/** Of everything here (checkers/black-box.ts). */
export const property = "linearizability by search";

/** Says how much of the search is used up, 0 to 1; from 1 on it ends. Asked every few steps. */
export type Progress = () => number

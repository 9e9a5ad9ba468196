/** Ids, kinds and keys are compared byte by byte, as in the jobs table. */
export const SIDE_TABLE_OPTIONS = 'ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';

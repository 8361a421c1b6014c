import { rest } from "./backends.ts";
import { describeMatrix } from "./describe-matrix.ts";

describeMatrix(rest);

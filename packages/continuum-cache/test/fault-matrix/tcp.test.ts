import { tcp } from "./backends.ts";
import { describeMatrix } from "./describe-matrix.ts";

describeMatrix(tcp);

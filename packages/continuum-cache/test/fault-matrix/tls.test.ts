import { tls } from "./backends.ts";
import { describeMatrix } from "./describe-matrix.ts";

describeMatrix(tls);

// The same faults as tcp.test.ts, which runs in `test`: here each connection is encrypted, which takes much longer.
import { tls } from "./backends.ts";
import { describeMatrix } from "./describe-matrix.ts";

describeMatrix(tls);

import { bornUs, type Deletion, type Evidence, type Read, type Write } from "../evidence.ts";
import { nameOf, type Violation, type ViolationKind } from "../violation.ts";

/**
 * What was acknowledged is there. Three promises, each about a read and a write that was over before the read began,
 * with nothing else in between that can have changed the key (whatever may have, excuses the read):
 *
 * - `lost`: the primary acknowledged the write and answers the read; then it answers that value. The same holds
 *   within one outage for a write and a read that the local backend answered.
 * - `lost`: the write was kept locally and has been confirmed; then the primary does not answer "nothing", unless
 *   another client may have deleted the key since the client last saw it there. (Sets give way to what others did
 *   meanwhile, so it may answer another's value, and nothing if another's was deleted.)
 * - `replayed-over`: the primary acknowledged the write after another client had set the key locally; then that set
 *   gives way when it is replayed.
 */
export function findLost(evidence: Evidence): Violation[] {
  return evidence.reads.flatMap((read) =>
    evidence.changesOf(read.key).flatMap((change) => judge(evidence, change, read)),
  );
}

function judge(evidence: Evidence, write: Write | Deletion, read: Read): Violation[] {
  if (write.kind === "delete" || write.call.outcome !== "ok") return [];
  // What a loader brought is stored only if no other write came meanwhile, and its call does not tell.
  if (write.isLoad || read.value === write.value || !evidence.precedes(write, read)) return [];
  const kind = promiseBroken(evidence, write, read);
  if (!kind || evidence.mayHaveForgotten(write.call.startUs, read.call.endUs)) return [];
  const found = read.value === null ? "nothing" : read.value;
  const over = kind === "replayed-over" ? ", a set made before that in an outage" : "";
  const wrote = `${nameOf(write.call)} had set it to ${write.value} and no client has changed it since`;
  const detail = `${read.key} was ${found}${over} in ${nameOf(read.call)}, though ${wrote}`;
  const other = read.value === null ? undefined : evidence.writeOf(read.value);
  return [{ kind, detail, key: read.key, calls: [write.call, ...(other ? [other.call] : []), read.call] }];
}

function promiseBroken(evidence: Evidence, write: Write, read: Read): ViolationKind | undefined {
  const between = (excuses: (other: Write | Deletion) => boolean): boolean =>
    evidence
      .changesOf(read.key)
      .some((other) => other !== write && excuses(other) && mayComeBetween(evidence, write, other, read));
  const [wrote, answered] = [evidence.footing(write.call), evidence.footing(read.call)];

  if (wrote === "primary" && answered === "primary") {
    if (between((other) => !mustGiveWay(evidence, other, write))) return undefined;
    return between(() => true) ? "replayed-over" : "lost";
  }
  if (wrote === "local" && answered === "local" && isOneOutage(evidence, write, read)) {
    return between((other) => other.call.client === read.call.client) ? undefined : "lost";
  }
  if (answered === "primary" && read.value === null && evidence.lastUs(write.call) < read.call.startUs) {
    if (between((other) => other.kind === "delete")) return undefined;
    return hasGivenWay(evidence, write, read) ? undefined : "lost";
  }
  return undefined;
}

/**
 * Whether the key may have been deleted by another client, or forgotten by the server, after the write's client last
 * had an answer about it from the primary.
 */
function hasGivenWay(evidence: Evidence, write: Write, read: Read): boolean {
  const { client } = write.call;
  const looks = [...evidence.reads.filter(({ key }) => key === write.key), ...evidence.changesOf(write.key)].filter(
    (look) =>
      look.call.client === client && evidence.footing(look.call) === "primary" && evidence.precedes(look, write),
  );
  const lookedUs = Math.max(...looks.map((look) => look.call.startUs), 0);
  if (evidence.mayHaveForgotten(lookedUs, read.call.endUs)) return true;
  return evidence
    .changesOf(write.key)
    .some(
      ({ kind, call }) =>
        kind === "delete" &&
        call.client !== client &&
        call.startUs <= read.call.endUs &&
        evidence.lastUs(call) >= lookedUs,
    );
}

/** Whether a change may have had its effect after the write had its own and before the read did. */
function mayComeBetween(evidence: Evidence, write: Write, other: Write | Deletion, read: Read): boolean {
  if (other.call === write.call && other.at < write.at) return false;
  if (other.call === read.call && other.at > read.at) return false;
  return bornUs(other) <= read.call.endUs && evidence.lastUs(other.call) >= write.call.startUs;
}

/** Whether a change is a set that its client made in an outage, all of it before another client's write began. */
function mustGiveWay(evidence: Evidence, change: Write | Deletion, write: Write): boolean {
  return (
    change.kind === "write" &&
    change.call.client !== write.call.client &&
    evidence.footing(change.call) === "local" &&
    change.call.endUs < write.call.startUs
  );
}

function isOneOutage(evidence: Evidence, write: Write, read: Read): boolean {
  if (write.call.client !== read.call.client) return false;
  const log = evidence.history.clients.find(({ client }) => client === read.call.client);
  return !log?.changes.some(({ atUs }) => atUs >= write.call.startUs && atUs <= read.call.endUs);
}

// AWS's runtime interface client comes with a C++ addon of which it uses three calls. Building it takes CMake and a
// minute; this preload answers for it in plain JavaScript, over the same HTTP.
import { Agent, request } from "node:http";
import Module from "node:module";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function send(method, path, body, headers) {
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, agent, headers, path: `/2018-06-01/runtime/invocation/${path}` };
    const sent = request(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ bodyJson: Buffer.concat(chunks).toString(), headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Answers are sent in order, and before the next event is asked for. */
let sent = Promise.resolve();
const answer = (path, body, headers) => {
  sent = sent.then(() => send("POST", path, body, { "content-type": "application/json", ...headers }));
};

const addon = {
  async next() {
    await sent;
    return send("GET", "next");
  },
  done: (id, body) => answer(`${id}/response`, body),
  error: (id, body) =>
    answer(`${id}/error`, body, { "lambda-runtime-function-error-type": JSON.parse(body).errorType }),
};

const load = Module._load;
Module._load = (name, ...rest) => (name.endsWith("rapid-client.node") ? addon : load(name, ...rest));

// Reads container events with grpc-js. Prints a line for each event and status, which the driver
// checks.
//
// usage: client.js PROTO SOCKET NAME RESUME_FROM [EPOCH]
"use strict";

const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [proto, socket, name, resumeFrom, epoch] = process.argv.slice(2);
const definition = loader.loadSync(proto, { keepCase: true, longs: String, defaults: true });
const { RuntimeService } = grpc.loadPackageDefinition(definition).runtime.v1;
const client = new RuntimeService(`unix:${socket}`, grpc.credentials.createInsecure());
const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);

client.Version({ version: "v1" }, { deadline: Date.now() + 10000 }, (error) => {
  if (error) {
    say("ended", grpc.status[error.code], "-", "-", error.details);
    return;
  }
  const metadata = new grpc.Metadata();
  metadata.set("seqcast-name", name);
  metadata.set("seqcast-resume-from", resumeFrom);
  if (epoch) metadata.set("seqcast-epoch", epoch);
  const events = client.GetContainerEvents({}, metadata);
  events.on("metadata", (header) => {
    const [run] = header.get("seqcast-epoch");
    // The header of a refused request has no epoch.
    if (run) say("opened", run, header.get("seqcast-start")[0]);
  });
  events.on("data", (event) => {
    const numbers = event.pod_sandbox_status.annotations.event;
    say("event", event.sequence, event.missed, event.container_id, event.container_event_type, numbers);
  });
  events.on("error", (error) => {
    const trailer = error.metadata;
    const where = ["seqcast-resume-from", "seqcast-missed"].map((key) => trailer.get(key)[0] ?? "-");
    say("ended", grpc.status[error.code], ...where, error.details);
  });
});

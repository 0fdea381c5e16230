/** A whole job with the generated client; what came of it goes to the folder as files. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createClient, createConfig } from "./client/client";
import {
  cancelJob,
  createJob,
  deleteJob,
  getArchive,
  getImage,
  getJob,
  getJobEvents,
  listJobs,
} from "./client/sdk.gen";
import type { Job, JobEvent, ProblemDetails } from "./client/types.gen";

const [address, folder] = process.argv.slice(2);
const client = createClient(createConfig({ baseUrl: address }));

function upload(name: string): File {
  return new File([readFileSync(join(folder, name))], name);
}

async function submit(objectName: string): Promise<Job> {
  const { data } = await createJob({
    client,
    body: {
      images: [upload("first.png"), upload("second.png")],
      object_name: objectName,
      num_images: 2,
      seed: 1,
      effort: "draft",
      invariances: ["rotate", "shift"],
    },
    throwOnError: true,
  });
  return data;
}

async function followed(job: Job): Promise<Job> {
  const path = { job_id: job.id };
  while (job.state === "queued" || job.state === "running") {
    const headers = { prefer: "wait=5" };
    ({ data: job } = await getJob({ client, path, headers, throwOnError: true }));
  }
  return job;
}

async function saved(name: string, file: Blob | File): Promise<void> {
  writeFileSync(join(folder, name), new Uint8Array(await file.arrayBuffer()));
}

async function problemOf(answer: Promise<{ error?: ProblemDetails }>): Promise<ProblemDetails> {
  const { error } = await answer;
  if (error === undefined) throw new Error("no problem");
  return error;
}

async function main(): Promise<void> {
  const job = await followed(await submit("hazelnut"));
  const path = { job_id: job.id };
  const archive = await getArchive({ client, path, throwOnError: true });
  await saved("archive.zip", archive.data);
  const headers = { Range: "bytes=100-199" };
  await saved("part.bin", (await getArchive({ client, path, headers, throwOnError: true })).data);
  const image = await getImage({ client, path: { ...path, number: 1 }, throwOnError: true });
  await saved("001.png", image.data);

  const states: string[] = [];
  const { stream } = await getJobEvents({ client, path });
  for await (const event of stream) states.push((event as unknown as JobEvent).state);

  const { data: page } = await listJobs({ client, query: { limit: 1 }, throwOnError: true });
  await deleteJob({ client, path, throwOnError: true });
  const expired = await problemOf(getArchive({ client, path }));
  const refused = await problemOf(
    createJob({ client, body: { images: [upload("broken.png")], object_name: "hazelnut" } }),
  );

  const endless = await submit("endless thread");
  const cancel = { client, path: { job_id: endless.id } };
  const canceled = (await cancelJob({ ...cancel, throwOnError: true })).data;
  const twice = await problemOf(cancelJob(cancel));
  const failed = await followed(await submit("broken hazelnut"));
  const results = { job, states, page, expired, refused, canceled, twice, failed };
  writeFileSync(join(folder, "results.json"), JSON.stringify(results));
}

void main();

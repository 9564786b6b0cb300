// What a client writes with the types that openapi-typescript makes; it has to compile as strictly as there is.
import type { components, paths } from "./api";

type Schemas = components["schemas"];
type Answer<Path extends keyof paths, Method extends "get" | "post"> =
  paths[Path][Method] extends { responses: infer All }
    ? All[keyof All & (200 | 201)] extends { content: { "application/json": infer Body } } ? Body : never
    : never;

export const thread: Schemas["CreateThreadBody"] = { title: "Plan", metadata: { team: "a", tags: ["b"], n: 1, x: null } };
export const message: Schemas["CreateMessageBody"] = {
  content: "Hello",
  blocks: [{ type: "section", text: { type: "mrkdwn", text: "*bold*" } }],
  metadata: { trace: { id: 7 } },
};
export const change: Schemas["UpdateMessageBody"] = { content: "Hello, all" };
export const user: Schemas["CreateUserBody"] = { email: "ana@example.com", name: "Ana" };
export const member: Schemas["AddMemberBody"] = { user_id: "c".repeat(25) };

export function titles(answer: Answer<"/api/v1/threads", "get">): string[] {
  return answer.data.map((found) => found.title);
}

export function team(answer: Answer<"/api/v1/threads/{id}", "get">): string {
  const value: unknown = answer.data.metadata["team"];
  return typeof value === "string" ? value : "none";
}

export function texts(answer: Answer<"/api/v1/threads/{thread_id}/messages", "get">): [string, string | null][] {
  return answer.data.map((found) => [found.content, found.parent_id]);
}

export function reasons(failure: Schemas["Failure"]): string[] {
  return Object.entries(failure.error.errors).map(([field, sentences]) => `${field}: ${sentences.join(" ")}`);
}

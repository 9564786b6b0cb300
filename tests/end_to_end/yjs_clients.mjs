// npm `yjs` and `y-websocket`, unchanged, under remote control: any number of clients of one artifact.
//
// Standard input has a call a line: {"call": 1, "client": "a", "do": "open", …}. Standard output has a line for each
// answer: {"call": 1, "result": …} or {"call": 1, "error": …}.

import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

const clients = new Map();
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

class Client {
  // `url`: of the artifact, by ws.
  constructor({ url, token }) {
    this.doc = new Y.Doc();
    this.provider = new WebsocketProvider(url, 'edit', this.doc, {
      params: { token }, WebSocketPolyfill: WebSocket, disableBc: true, maxBackoffTime: 200,
    });
  }

  get body() { return this.doc.getMap('body'); }

  text(section) { return this.body.get('sections').get(section).get('text'); }

  synced() {
    return new Promise((resolve) => {
      if (this.provider.synced) resolve(true);
      else this.provider.once('sync', () => resolve(true));
    });
  }

  // As the content of the artifact: 1 is a number, and no BigInt.
  content() { return this.body.toJSON(); }

  insert({ section, at, text }) { this.text(section).insert(at < 0 ? this.text(section).length : at, text); }

  add({ section, id, text }) {
    const fresh = new Y.Map();
    const shared = new Y.Text(text);
    fresh.set('type', 'markdown');
    fresh.set('id', id);
    fresh.set('text', shared);
    this.body.get('sections').insert(section, [fresh]);
  }

  show({ state }) { this.provider.awareness.setLocalState(state); }

  cursors() { return [...this.provider.awareness.getStates().values()]; }

  disconnect() { this.provider.disconnect(); }

  connect() { this.provider.connect(); }

  async has({ text }) {
    while (!JSON.stringify(this.content()).includes(text)) await new Promise((go) => setTimeout(go, 5));
    return true;
  }

  async sees({ state }) {
    while (!this.cursors().some((cursor) => JSON.stringify(cursor) === JSON.stringify(state))) {
      await new Promise((go) => setTimeout(go, 5));
    }
    return true;
  }

  close() { this.provider.destroy(); this.doc.destroy(); }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { call, client, do: what, ...options } = JSON.parse(line);
  if (what === 'open') clients.set(client, new Client(options));
  const result = what === 'open' ? true : (async () => clients.get(client)[what](options))();
  Promise.resolve(result).then(
    (found) => say({ call, result: found ?? null }), (error) => say({ call, error: String(error?.stack ?? error) }));
}
process.exit(0);

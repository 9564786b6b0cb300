// The real tus clients for JavaScript, unchanged, under Node: `node tus_clients.mjs <client> <endpoint> <token> <path>`.
// Prints how often it began again, and the headers of the last answer. Goes on after every broken line.

import {createReadStream, readFileSync} from "node:fs"
import {basename} from "node:path"
import Uppy from "@uppy/core"
import UppyTus from "@uppy/tus"
import * as tus from "tus-js-client"

const [client, endpoint, token, path] = process.argv.slice(2)
const retryDelays = Array(60).fill(150)
const headers = {Authorization: `Bearer ${token}`}
let last = {}

function seen(_, response) {
  last = {status: response.getStatus(), file: response.getHeader("X-File-Id"), offset: response.getHeader("Upload-Offset")}
}

function done() {
  console.log(JSON.stringify(last))
  process.exit(0)
}

function failed(error) {
  console.error(String(error))
  process.exit(1)
}

if (client === "tus-js-client") {
  new tus.Upload(createReadStream(path), {
    endpoint, headers, retryDelays, chunkSize: 3_000_000, metadata: {filename: basename(path), filetype: "text/plain"},
    onAfterResponse: seen, onSuccess: done, onError: failed,
  }).start()
} else {
  const uppy = new Uppy({autoProceed: false})
  uppy.use(UppyTus, {endpoint, headers, retryDelays, onAfterResponse: seen})
  uppy.on("upload-error", (_, error) => failed(error))
  uppy.on("complete", done)
  const data = readFileSync(path) // what tus-js-client takes under Node; a browser has a File
  data.size = data.length
  uppy.addFile({name: basename(path), type: "text/plain", data})
  uppy.upload()
}

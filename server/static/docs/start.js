// Shows the API described by openapi.json, beside this page. No page of ours has a script in it: its policy forbids that.

// An answer without an end would never be shown: these are for EventSource and for SDKs.
const ENDLESS = /\/events$|^\/connection\//;

const endlessPlugin = () => ({
  statePlugins: {
    spec: { wrapSelectors: { allowTryItOutFor: () => (_state, path) => !ENDLESS.test(path) } },
  },
});

window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#api",
    deepLinking: true,
    displayOperationId: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: true, // in this browser, until Logout
    plugins: [endlessPlugin],
    validatorUrl: null,
  });
});

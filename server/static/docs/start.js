// Shows the API described by openapi.json, beside this page. No page of ours has a script in it: its policy forbids that.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#api",
    deepLinking: true,
    displayOperationId: true,
    docExpansion: "none",
    filter: true,
    validatorUrl: null,
  });
});

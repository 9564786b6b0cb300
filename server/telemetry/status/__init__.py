"""How the server has been doing: health with since when, figures and service levels of an hour; as JSON and a page."""

"""HTML for people: texts in all languages, and QR codes."""

std = "lua54"
globals = {}
read_globals = { "array", "object", "fixed", "null", "log", "forecourt" }
max_line_length = 140
-- Declarations for editors: nothing in them is used, and they name what they declare.
files["lua/types"] = { globals = { "array", "object", "fixed", "null", "log", "forecourt", "require" }, unused = false }

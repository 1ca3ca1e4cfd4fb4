std = "lua54"
globals = {}
read_globals = { "array", "object", "fixed", "null", "log" }
max_line_length = 140

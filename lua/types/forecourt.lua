---@meta forecourt
-- For editors (LuaLS): what the gateway gives to scripts. Nothing loads this file; README.md is the reference, and
-- tests/system/test_lua_api.py holds both against the code.

---Anything that stands for an exact number: an integer, a float of at most 15 digits, a text of digits, a fixed().
---@alias forecourt.number decimal|number|string|forecourt.fixed

---A time in seconds since 1970, UTC.
---@alias forecourt.seconds integer

---A day of the station's calendar (UTC+8): "2026-10-01".
---@alias forecourt.date string

---A number that is written in just this form.
---@class forecourt.fixed

---JSON null.
---@class forecourt.null

---@class forecourt
---@field api 1 the version of this interface
---@field null forecourt.null
---@field time forecourt.time
forecourt = {}

---A line in the gateway's log at level info; 20 a call.
---@param text string
function forecourt.log(text) end

---Marks a table as a list, so that an empty one is written [].
---@generic T: table
---@param t? T
---@return T
function forecourt.array(t) end

---Marks a table as an object, so that an empty one is written {}.
---@generic T: table
---@param t? T
---@return T
function forecourt.object(t) end

---Written with exactly n decimals, rounded half up.
---@param x forecourt.number
---@param n integer 0 to 9
---@return forecourt.fixed
function forecourt.fixed(x, n) end

---@class forecourt.reshape
---@field rename? table<string, string> old = "new", wherever the field stands
---@field first? "lower"|"upper" the first letter of every other name
---@field add? table fields of the message itself

---A function that gives fields other names and adds constants, carried out by the gateway without Lua.
---@param description forecourt.reshape
---@return fun(message: table): table
function forecourt.reshape(description) end

---The same, shorter.
array = forecourt.array
object = forecourt.object
fixed = forecourt.fixed
log = forecourt.log
---@type forecourt.null
null = forecourt.null

---A module of lib/, loaded once a script.
---@param name string
---@return any
function require(name) end

---An exact decimal: 18 digits, 9 of them after the point. What does not fit is an error.
---@class decimal
---@operator add(forecourt.number): decimal
---@operator sub(forecourt.number): decimal
---@operator mul(forecourt.number): decimal
---@operator unm: decimal
---@operator concat(string|number|decimal): string
local decimal = {}

---The exact decimal of a number; with n rounded half up to n decimals.
---@param x forecourt.number
---@param n? integer 0 to 9
---@return decimal
function forecourt.decimal(x, n) end

---Rounded half up.
---@param n integer 0 to 9
---@return decimal
function decimal:round(n) end

---The exact product, rounded half up to n decimals.
---@param x forecourt.number
---@param n integer 0 to 9
---@return decimal
function decimal:mul(x, n) end

---The exact quotient, rounded half up to n decimals.
---@param x forecourt.number
---@param n integer 0 to 9
---@return decimal
function decimal:div(x, n) end

---Without its sign.
---@return decimal
function decimal:abs() end

---The same as fixed(d, n).
---@param n integer 0 to 9
---@return forecourt.fixed
function decimal:fixed(n) end

---The nearest Lua number; an integer when it is whole.
---@return number
function decimal:number() end

---The time of this call, the same as often as it is asked.
---@return forecourt.seconds
function forecourt.now() end

---@class forecourt.time
local time = {}
forecourt.time = time

---@class forecourt.time.parts
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field min integer
---@field sec integer
---@field weekday integer 1 is Monday
---@field yearday integer

---"2026-10-01"
---@param t forecourt.seconds
---@return forecourt.date
function forecourt.time.date(t) end

---"2026-10-01 12:00:00"
---@param t forecourt.seconds
---@return string
function forecourt.time.datetime(t) end

---"20261001120000"
---@param t forecourt.seconds
---@return string
function forecourt.time.compact(t) end

---Reads "2026-10-01", "2026-10-01 12:00:00", "20261001120000" and "20261001".
---@param text string
---@return forecourt.seconds? t nil when it is none of them
---@return string? reason
function forecourt.time.parse(text) end

---@param t forecourt.seconds
---@return forecourt.time.parts
function forecourt.time.parts(t) end

---@param date forecourt.date
---@return integer day 1 is Monday
function forecourt.time.weekday(date) end

---@param date forecourt.date
---@param n integer
---@return forecourt.date
function forecourt.time.add_days(date, n) end

---@param a forecourt.date
---@param b forecourt.date
---@return integer days from a to b
function forecourt.time.days_between(a, b) end

---@param t forecourt.seconds
---@return integer milliseconds since 1970
function forecourt.time.ms(t) end

---@param ms integer
---@return forecourt.seconds
function forecourt.time.from_ms(ms) end

---@param text string
---@return string hex 64 digits
function forecourt.sha256(text) end

---@param text string
---@return string hex 32 digits
function forecourt.md5(text) end

---@param key string
---@param text string
---@return string hex 64 digits
function forecourt.hmac_sha256(key, text) end

---@param key string
---@param text string
---@return string hex 32 digits
function forecourt.hmac_md5(key, text) end

---The CRC of zip.
---@param text string
---@return string hex 8 digits
function forecourt.crc32(text) end

---One of m to n, drawn from the call: its function, its input and its second decide. Not for keys.
---@param m integer
---@param n integer
---@return integer
function forecourt.random(m, n) end

---@class lookup_table
local lookup_table = {}

---A lookup table, kept over reloads and restarts.
---@param name string a-z 0-9 _ -
---@return lookup_table
function forecourt.table(name) end

---@param key string|integer
---@return string?
function lookup_table:get(key) end

---@param key string|integer
---@param value string|integer|nil nil removes the key
function lookup_table:put(key, value) end

---The key of a value; of several the one put last.
---@param value string|integer
---@return string?
function lookup_table:key(value) end

---@class forecourt.station
---@field id string
---@field name string
---@field area_code string
---@field connectors string[] ids

---@alias forecourt.quality "good"|"stale"|"unknown"

---What is measured and not good now is not there: unknown, never zero.
---@class forecourt.connector
---@field id string
---@field name string
---@field station string
---@field equipment string
---@field number integer from 1
---@field park_no string
---@field status 0|1|2|3|4|255 off line, idle, occupied, charging, reserved, fault
---@field status_name string
---@field since forecourt.seconds
---@field power_w? integer
---@field voltage_a? number V
---@field voltage_b? number V
---@field voltage_c? number V
---@field current_a? number A
---@field current_b? number A
---@field current_c? number A
---@field soc? number percent
---@field demand_voltage? number V, what the car wants
---@field demand_current? number A
---@field energy_kwh? number the meter
---@field quality table<string, forecourt.quality>

---@return string[] ids
function forecourt.stations() end

---@param id string
---@return forecourt.station?
function forecourt.station(id) end

---@return string[] ids
function forecourt.connectors() end

---@param id string
---@return forecourt.connector?
function forecourt.connector(id) end

---@meta forecourt.files
-- For editors (LuaLS): the forms of a mapping, a policy and a profile. Begin a file with
--   ---@type forecourt.mapping
--   local mapping = { ... }
--   return mapping
-- Nothing loads this file; tests/system/test_lua_api.py holds its keys against the code.

---An example is run at each load, alone in its world.
---@class forecourt.example
---@field call string path of the function: "map.notification_stationStatus.request", "prices"
---@field input? any its first argument
---@field context? table its second argument
---@field expect? any what it must give; this or expect_tables
---@field now? string "2026-10-01 12:00:00"; default "2026-01-01 00:00:00"
---@field tables? table<string, table<string, string>> what the lookup tables hold before the call
---@field expect_tables? table<string, table<string, string>> what they hold after it
---@field state? forecourt.example.state

---@class forecourt.example.state
---@field stations? table[] each with its id
---@field connectors? table[] each with its id

-- Mapping --------------------------------------------------------------------------------------------------------------

---operators/NAME.lua: how an operator's messages differ from the standard.
---@class forecourt.mapping
---@field forecourt 1
---@field kind "operator"
---@field name string the file's name without .lua
---@field description? string
---@field paths? forecourt.mapping.paths last part of the URL, or with a / in front the whole path
---@field methods? forecourt.mapping.methods on or off
---@field plain? forecourt.mapping.methods bare bodies: no envelope, no token
---@field timing? forecourt.mapping.timing
---@field constants? table values of your own
---@field map? forecourt.mapping.map
---@field examples? forecourt.example[]

---@class forecourt.mapping.context
---@field operator_id string ours
---@field platform_id string theirs
---@field platform string the platform's section
---@field method string
---@field direction "out"|"in"

---@class forecourt.mapping.timing
---@field status_resend_h? number all connectors again, every so many hours; 0 never
---@field start_result_s? number the result of a start is told within
---@field stop_result_s? number
---@field sync_wait_s? number with option mode sync: an answer waits so long for its result
---@field charge_status_s? number between two states of a running charge
---@field order_first_s? number an order told later than this is warned of
---@field order_retry_s? number|number[] pauses between tries; the last one for ever
---@field reconcile_from_h? number
---@field reconcile_to_h? number

-- Policy ---------------------------------------------------------------------------------------------------------------

---policies/NAME.lua: what a charge costs.
---@class forecourt.policy
---@field forecourt 1
---@field kind "policy"
---@field name string the file's name without .lua
---@field description? string
---@field prices forecourt.policy.period[]|fun(context: forecourt.policy.context): forecourt.policy.period[]
---@field terms? forecourt.policy.terms|fun(context: forecourt.policy.context): forecourt.policy.terms
---@field examples? forecourt.example[]

---@class forecourt.policy.context
---@field date forecourt.date
---@field weekday integer 1 is Monday
---@field station_id string
---@field connector_id string
---@field platform string that started the charge, or ""
---@field user_class string

---@class forecourt.policy.period
---@field start string "07:30"; the first is "00:00"
---@field elec decimal|number|forecourt.fixed yuan per kWh, up to four decimals
---@field service? decimal|number|forecourt.fixed yuan per kWh, up to four decimals

---@class forecourt.policy.terms
---@field minute? decimal|number|forecourt.fixed service fee per begun minute of charging
---@field occupancy_minute? decimal|number|forecourt.fixed per begun minute that the place stays taken
---@field occupancy_free_min? integer
---@field occupancy_most_min? integer
---@field free_kwh? decimal|number|forecourt.fixed
---@field minimum? decimal|number|forecourt.fixed yuan
---@field maximum? decimal|number|forecourt.fixed yuan

-- Profile --------------------------------------------------------------------------------------------------------------

---profiles/NAME.lua: which registers a charger has and what they mean.
---@class forecourt.profile
---@field forecourt 1
---@field kind "profile"
---@field name string the file's name without .lua
---@field description? string
---@field source string manual, edition, page
---@field modbus? forecourt.profile.modbus
---@field connectors? forecourt.profile.connectors
---@field points table<string, forecourt.profile.point>
---@field status? forecourt.profile.status
---@field commands? table<string, forecourt.profile.command>
---@field examples? forecourt.profile.example[]

---@class forecourt.profile.modbus
---@field max_words? integer most words in one read, 1 to 125
---@field merge_gap? integer registers that may be read needlessly to join two reads
---@field gap_ms? integer pause before each request
---@field deny? integer[][] { first, last }: addresses never touched
---@field single? boolean each point in a read of its own

---@class forecourt.profile.connectors
---@field count? integer
---@field stride? integer register of connector n = address + (n - 1) * stride

---@class forecourt.profile.point
---@field address integer zero-based, as in the request
---@field fc? 1|2|3|4 default 3
---@field type? "u16"|"s16"|"u32"|"s32"|"u64"|"s64"|"f32"|"f64"|"bool"|"text"
---@field words? integer of a text
---@field order? "hi-lo"|"lo-hi" which word comes first
---@field swap? boolean a text with swapped bytes
---@field shift? integer bits of a whole number
---@field mask? integer
---@field scale? number value = register * scale + offset
---@field offset? number
---@field unit? string
---@field min? number what lies outside is unknown
---@field max? number
---@field invalid? integer[]|integer what is listed is unknown
---@field period_ms? integer default: the charger's poll_ms
---@field shared? boolean one register for all connectors

---@class forecourt.profile.status
---@field point string
---@field map table<integer|string, integer> to 0 off line, 1 idle, 2 occupied, 3 charging, 4 reserved, 255 fault
---@field default? integer
---@field faults? forecourt.profile.fault[]

---@class forecourt.profile.fault
---@field point string
---@field equals? integer
---@field ["not"]? integer
---@field mask? integer

---@class forecourt.profile.command
---@field fc integer 5, 6, 15 or 16
---@field address integer
---@field value? integer
---@field values? integer[]
---@field shared? boolean

---@class forecourt.profile.example
---@field registers table<integer, integer>
---@field expect table<string, any> points, and status; false: unknown
---@field connector? integer
---@field fc? integer

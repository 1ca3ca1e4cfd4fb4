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
---@field line? forecourt.profile.line what the charger needs of its line
---@field modbus? forecourt.profile.modbus
---@field can? forecourt.profile.can a device that is asked over CAN, instead of modbus
---@field listen? "gbt27930" instead of modbus: it hears what others say
---@field dlt645? forecourt.profile.dlt645 a meter that speaks DL/T 645, instead of modbus
---@field connectors? forecourt.profile.connectors
---@field tested? "examples"|"simulator"|"hardware" on what; default: its examples only
---@field points table<string, forecourt.profile.point|forecourt.profile.can.point|forecourt.profile.heard|forecourt.profile.metered>
---@field groups? table<string, forecourt.profile.group>
---@field firmware? string|forecourt.profile.firmware the point that tells the version
---@field status? forecourt.profile.status
---@field keep_alive? forecourt.profile.any_keep_alive|forecourt.profile.any_keep_alive[]
---@field setpoint? forecourt.profile.setpoint|forecourt.profile.can.setpoint
---@field commands? table<string, forecourt.profile.write|forecourt.profile.can.step|forecourt.profile.sequence> start, stop, unlock
---@field unlock_while_charging? boolean its unlock ends a charge safely
---@field examples? (forecourt.profile.example|forecourt.profile.can.example|forecourt.profile.frames)[]

---@class forecourt.profile.line
---@field framing? "tcp"|"rtu"|"rtu-over-tcp"|"ascii"|"tcp or rtu"|"dlt645"
---@field baud? integer
---@field data_bits? integer
---@field stop_bits? integer
---@field parity? "none"|"even"|"odd"
---@field connections? integer how many masters it bears
---@field connect_timeout_ms? integer
---@field response_timeout_ms? integer
---@field byte_timeout_ms? integer

---@class forecourt.profile.modbus
---@field max_words? integer most words in one read, 1 to 125
---@field merge_gap? integer registers that may be read needlessly to join two reads
---@field gap_ms? integer pause before each request
---@field rest_ms? integer silence after a write
---@field min_period_ms? integer the least period of any read
---@field deny? integer[][] { first, last }: addresses never touched
---@field deny_write? integer[][] { first, last }: addresses never written
---@field single? boolean each point in a read of its own
---@field longer_answers? boolean an answer may have more words than asked for; the first are taken

---@class forecourt.profile.connectors
---@field count? integer
---@field stride? integer register of connector n = address + (n - 1) * stride
---@field offsets? table<integer, integer> of connectors that keep to no stride
---@field unit_stride? integer connector n is asked at the charger's unit + (n - 1) * unit_stride

---@alias forecourt.profile.type "u16"|"s16"|"u32"|"s32"|"u64"|"s64"|"f32"|"f64"|"bool"|"bcd"|"sbcd"|"bits"|"text"|"hex"|"raw"
---@alias forecourt.profile.range string|string[] ">=1.2.1", or { ">=1.2", "<2" }

---@class forecourt.profile.point
---@field address integer zero-based, as in the request
---@field fc? 1|2|3|4 default 3
---@field type? forecourt.profile.type
---@field words? integer of a text, hex, raw, bcd or bits
---@field order? string "hi-lo", "lo-hi", or a letter for each byte: "CDAB"
---@field swap? boolean a text with swapped bytes
---@field encoding? "ascii"|"utf-8"|"utf-16" of a text
---@field skip? integer bytes left out before a text
---@field chars? integer most characters of a text
---@field shift? integer bits of a whole number
---@field mask? integer
---@field bit? integer one bit of a whole number
---@field field? integer[] { first, last } bit
---@field names? table<integer, string> of type bits: the names of those that are set
---@field scale? number value = register * scale + offset
---@field offset? number
---@field unit? string
---@field decimals_from? string|forecourt.profile.decimals_from times 10 to the power of another point
---@field scale_from? string|string[] times another point, or two
---@field min? number what lies outside is unknown
---@field max? number
---@field invalid? integer[]|integer what is listed is unknown
---@field valid_when? table<string, any> { state = { 3, 4 } }: else unknown
---@field period_ms? integer default: the charger's poll_ms
---@field shared? boolean one register for all connectors
---@field stride? integer another stride than the file's
---@field addresses? table<integer, integer> elsewhere for these connectors
---@field shift_stride? integer for each further connector so many bits more are shifted
---@field unit_id? integer asked of this unit instead of the charger's
---@field optional? boolean left out when the charger refuses it
---@field group? string
---@field firmware? forecourt.profile.range read only then
---@field variants? forecourt.profile.variant[] the first whose firmware fits counts
---@field hook? fun(raw: any, get: fun(point: string): any, connector: integer): any arithmetic that no key says

---A point of a listening profile.
---@class forecourt.profile.heard
---@field signal string MESSAGE.signal, such as "BCS.soc"
---@field unit? string the signal's; another one with scale
---@field scale? number
---@field offset? number
---@field min? number what lies outside is unknown
---@field max? number
---@field period_ms? integer default: how often it is said; a value is good for three of them, at least 3 s
---@field scale_from? string|string[]
---@field valid_when? table<string, any>
---@field hook? fun(raw: any, get: fun(point: string): any, connector: integer): any

---@class forecourt.profile.dlt645
---@field gap_ms? integer pause before each request
---@field min_period_ms? integer the least period of any read

---A value of a DL/T 645 meter.
---@class forecourt.profile.metered
---@field id integer data identifier, such as 0x00010000
---@field type "bcd"|"sbcd"|"hex"|"u16"|"u32"|"s32"
---@field bytes? integer of the value, 1 to 8
---@field scale? number
---@field offset? number
---@field unit? string
---@field min? number what lies outside is unknown
---@field max? number
---@field period_ms? integer
---@field optional? boolean left out when the meter refuses it
---@field hook? fun(raw: any, get: fun(point: string): any, connector: integer): any
---@field scale_from? string|string[]
---@field valid_when? table<string, any>

---An example of a meter's profile.
---@class forecourt.profile.example.metered
---@field data table<integer, integer> { [0x00010000] = 0x00123456 }: the value's bytes, the highest first
---@field expect table<string, any>

---@class forecourt.profile.variant
---@field firmware? forecourt.profile.range
---@field address? integer
---@field fc? 1|2|3|4
---@field type? forecourt.profile.type
---@field words? integer
---@field order? string
---@field swap? boolean
---@field encoding? "ascii"|"utf-8"|"utf-16"
---@field skip? integer
---@field chars? integer
---@field shift? integer
---@field mask? integer
---@field bit? integer
---@field field? integer[]
---@field scale? number
---@field offset? number
---@field min? number
---@field max? number
---@field invalid? integer[]|integer
---@field stride? integer
---@field addresses? table<integer, integer>

---@class forecourt.profile.decimals_from
---@field point string
---@field offset? integer is added to the power

---@class forecourt.profile.group
---@field optional? boolean
---@field firmware? forecourt.profile.range

---@class forecourt.profile.firmware
---@field point string
---@field form? "text"|"number"|"decimal"|"bytes"

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

---@class forecourt.profile.keep_alive
---@field fc? 3|4|5|6|15|16
---@field address integer
---@field value? integer
---@field values? integer[]
---@field words? integer of a read that nobody looks at
---@field period_ms integer
---@field period_from? string the point that says how often, in seconds
---@field period_share? number of that
---@field unless? table<string, any> not while that holds
---@field value_from? string writes what this point says, instead of value
---@field shared? boolean

---The register that limits a connector.
---@class forecourt.profile.setpoint
---@field fc? 6|16
---@field address integer
---@field type? "u16"|"s16"|"u32"|"s32"|"f32"
---@field order? string
---@field scale? number
---@field offset? number
---@field unit? string
---@field min? number
---@field max? number
---@field shared? boolean
---@field refresh_ms? integer written again so often
---@field refresh_from? string the point that says how long a limit is kept, in seconds; refresh_ms while it says nothing
---@field refresh_share? number of that
---@field pause? number the value that pauses a charge
---@field safe? number what it falls back to by itself
---@field initial? number held from the start on
---@field scale_from? string|string[] times another point, or two; not written while they are unknown
---@field verify? string the point, of the same unit, that reads the limit back
---@field verify_ms? integer so long it may take to come there; 5000
---@field verify_within? number so far off it may be; half a step of the register
---@field verify_at_most? boolean what reads back may be less: other limits count there too

---@class forecourt.profile.write
---@field fc integer 5, 6, 15 or 16
---@field address integer
---@field value? integer
---@field values? integer[]
---@field shared? boolean

---@alias forecourt.profile.frame_or_write forecourt.profile.write|forecourt.profile.can.step
---@alias forecourt.profile.step forecourt.profile.frame_or_write|forecourt.profile.wait|forecourt.profile.check|forecourt.profile.limit
---@class forecourt.profile.sequence
---@field steps forecourt.profile.step[]

---@class forecourt.profile.wait
---@field wait_ms integer

---@class forecourt.profile.check
---@field check string a point
---@field equals? integer|integer[]
---@field ["not"]? integer|integer[]
---@field within_ms? integer

---@class forecourt.profile.limit
---@field limit? number sets the setpoint and holds it
---@field pause? true

---@class forecourt.profile.example
---@field registers table<integer, integer>
---@field expect table<string, any> points, and status; false: unknown
---@field connector? integer
---@field fc? integer the function of these registers
---@field unit_id? integer the unit of these registers

---An example of a CAN device: what is heard, and what it means.
---@class forecourt.profile.frames
---@field frames string[] as can-utils write them: "1826F456#010100"
---@field expect table<string, any> points, and status; false: unknown
---@field connector? integer
---@field unit? integer

-- A device that is asked over CAN ---------------------------------------------------------------------------------------

---@alias forecourt.profile.any_keep_alive forecourt.profile.keep_alive|forecourt.profile.can.keep_alive
---@alias forecourt.profile.can.name "unit"|"connector"|"master"
---@alias forecourt.profile.can.id integer|table<string, integer|forecourt.profile.can.name> a number, or by the fields of can.id
---@alias forecourt.profile.can.wanted (integer|false|forecourt.profile.can.name|integer[])[] a byte each; false: any; or { value, mask }
---@alias forecourt.profile.can.data (integer|string|forecourt.profile.can.insert)[] a byte each, a name, or a table

---@class forecourt.profile.can
---@field bitrate? integer for people and the report; the configuration decides
---@field order? "little"|"big" of values that do not say their own
---@field extended? boolean 29-bit identifiers, default true
---@field master? integer our address
---@field timeout_ms? integer silent so long: off line; default 10000
---@field slow_ms? integer between requests to a silent device; default 5000
---@field gap_ms? integer between requests
---@field id? table<string, integer[]> fields of identifiers: { first, last } bit
---@field messages table<string, forecourt.profile.can.message>
---@field requests? table<string, forecourt.profile.can.request>

---@class forecourt.profile.can.message
---@field id forecourt.profile.can.id fields that are not named may be anything
---@field extended? boolean
---@field data? forecourt.profile.can.wanted
---@field length? integer bytes at least
---@field mux? forecourt.profile.can.mux the value that tells which points a frame carries
---@field packets? "none"|"counted"|"j1939" a message of several frames
---@field period_ms? integer it comes by itself, so often
---@field reply? forecourt.profile.can.reply sent whenever it comes

---@class forecourt.profile.can.mux
---@field byte? integer
---@field start? integer
---@field length? integer
---@field order? "little"|"big"
---@field type? "u8"|"u16"|"u24"|"u32"

---@class forecourt.profile.can.reply
---@field id forecourt.profile.can.id
---@field extended? boolean
---@field data? forecourt.profile.can.data
---@field fill? integer up to 8 bytes of this

---@class forecourt.profile.can.request
---@field id forecourt.profile.can.id
---@field extended? boolean
---@field data? forecourt.profile.can.data
---@field fill? integer
---@field answer string|string[] messages
---@field last? forecourt.profile.can.wanted|forecourt.profile.can.ok the answer's frames end with one that fits
---@field period_ms? integer default: the device's poll_ms
---@field timeout_ms? integer default 200
---@field each? integer[] asked once for each, in turn
---@field unless? table<string, any>

---@class forecourt.profile.can.ok
---@field id? forecourt.profile.can.id
---@field data? forecourt.profile.can.wanted

---A value within a frame that is sent.
---@class forecourt.profile.can.insert
---@field value? number
---@field from? "unit"|"connector"|"each"|"setpoint"|"time"|"counter"
---@field point? string a point's value
---@field copy? integer a byte of the frame that is answered
---@field type? "u8"|"s8"|"u16"|"s16"|"u24"|"u32"|"s32"|"f32"|"bcd"
---@field order? "little"|"big"
---@field scale? number sent = (value - offset) / scale
---@field offset? number
---@field otherwise? number while the point is unknown
---@field bytes? integer of bcd and time

---@class forecourt.profile.can.point
---@field message string
---@field mux? integer only from frames with this
---@field byte? integer from 0
---@field start? integer the bit, as DBC files count: the lowest, or with order "big" the highest
---@field length? integer bits; default: all of the type
---@field bytes? integer of text, hex, bcd and bits
---@field type "u8"|"s8"|"u16"|"s16"|"u24"|"u32"|"s32"|"u64"|"s64"|"f32"|"f64"|"bool"|"bits"|"bcd"|"text"|"hex"
---@field order? "little"|"big"
---@field scale? number
---@field offset? number
---@field unit? string
---@field min? number
---@field max? number
---@field shift? integer
---@field mask? integer
---@field bit? integer
---@field field? integer[]
---@field invalid? integer[]|integer
---@field names? table<integer, string>
---@field period_ms? integer default: that of the message or the request
---@field chars? integer
---@field encoding? "ascii"|"utf-8"|"utf-16"
---@field decimals_from? string|forecourt.profile.decimals_from
---@field scale_from? string|string[]
---@field valid_when? table<string, any>
---@field hook? fun(raw: any, get: fun(point: string): any, connector: integer): any

---@class forecourt.profile.can.keep_alive
---@field id forecourt.profile.can.id
---@field extended? boolean
---@field data? forecourt.profile.can.data
---@field fill? integer
---@field period_ms integer
---@field unless? table<string, any>

---A frame that is sent until its answer comes; without id an answer that is awaited.
---@class forecourt.profile.can.step
---@field id? forecourt.profile.can.id
---@field extended? boolean
---@field data? forecourt.profile.can.data
---@field fill? integer
---@field answer? string a message
---@field ok? forecourt.profile.can.wanted|forecourt.profile.can.ok else it is refused
---@field period_ms? integer sent again so often, default 500
---@field within_ms? integer default 5000

---@class forecourt.profile.can.setpoint
---@field id forecourt.profile.can.id
---@field extended? boolean
---@field data? forecourt.profile.can.data
---@field fill? integer
---@field answer? string
---@field ok? forecourt.profile.can.wanted|forecourt.profile.can.ok
---@field period_ms? integer
---@field within_ms? integer
---@field unit? string
---@field min? number
---@field max? number
---@field pause? number
---@field safe? number
---@field initial? number
---@field refresh_ms? integer

---A device is asked in simulated time, for for_ms or until all frames are in, 10 ms apart.
---@class forecourt.profile.can.example
---@field frames? string[] what it hears: "1826F456#010100"
---@field expect? table<string, any> points, and status; false: unknown
---@field sent? string[] what must have been sent, in this order, others between
---@field connector? integer
---@field unit? integer its address, default 1
---@field command? string begun at first
---@field limit? number set at first
---@field result? "ok"|"refused"|"timeout"|"none" of the command
---@field for_ms? integer default 1000
---@field at? string the time of day: "2026-01-01 00:00:00"

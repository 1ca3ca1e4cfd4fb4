-- The mapping that the benchmark runs through: an operator with keys in lower camel case and one field more, for each measured method, in
-- and out. By description, as one would write it; bench-functions.lua does the same by functions.
local request = forecourt.reshape({ rename = { qrCode = "QRCode" }, first = "upper" })
local answer = forecourt.reshape({ add = { gateway = "forecourt" } })

return {
  forecourt = 1,
  kind = "operator",
  name = "bench",
  map = {
    query_equip_auth = { request = request, answer = answer },
    query_equip_business_policy = { request = request, answer = answer },
    query_equip_charge_status = { request = request, answer = answer },
    query_start_charge = { request = request, answer = answer },
  },
}

-- The base standard (T/CEC 102, reference: protocol.md): changes nothing. Copy this file to begin a mapping of your own.
return {
  forecourt = 1,
  kind = "operator",
  name = "t",
  description = "The base standard, unchanged",
}

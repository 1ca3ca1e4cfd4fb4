-- Texts of a prescribed length.
local pad = {}

-- Filled up on the left to so many characters ("0" by default); longer texts stay.
function pad.left(text, width, fill)
  return (fill or "0"):rep(width - #text) .. text
end

-- Without those on the left; what consists of nothing else keeps one.
function pad.strip(text, fill)
  local at = 1
  while at < #text and text:sub(at, at) == (fill or "0") do
    at = at + 1
  end
  return text:sub(at)
end

return pad

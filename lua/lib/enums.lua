-- Other codes for a state or a reason, both ways.
local enums = {}

-- codes: ours = theirs. back: theirs = ours, only where codes does not say it (two of ours that are one of theirs, or one of theirs
-- that we do not have). A code that is in neither stays what it is. Returns two functions of a code: outward, inward.
function enums.both(codes, back)
  local inward = {}
  for ours, theirs in pairs(codes) do
    if inward[theirs] ~= nil then
      assert(back and back[theirs] ~= nil, "enums.both: " .. tostring(theirs) .. " stands for two codes: back must say for which")
    end
    inward[theirs] = ours
  end
  for theirs, ours in pairs(back or {}) do
    inward[theirs] = ours
  end
  local function translate(table)
    return function(code)
      local found = table[code]
      if found == nil then
        return code
      end
      return found
    end
  end
  return translate(codes), translate(inward)
end

return enums

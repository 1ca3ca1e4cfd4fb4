-- Order numbers that are others at the platform, over the whole life of an order: it is begun by a command of today, and told,
-- asked for and reconciled for days, over restarts. So the pairs are kept in a lookup table.
local serials = {}

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

-- The 9 characters that a standard number begins with, also of a credit code of 18.
local function owner(operator_id)
  return #operator_id == 18 and operator_id:sub(9, 17) or operator_id
end

-- The same text always gives the same 18 characters, so that a command that is repeated is the same charge.
local function digest(text)
  return forecourt.sha256(text):sub(1, 18):upper()
end

-- The same as letters.
local function letters(text)
  local number, out = tonumber(forecourt.sha256(text):sub(1, 15), 16), ""
  for _ = 1, 18 do
    local at = number % #LETTERS + 1
    out = LETTERS:sub(at, at) .. out
    number = number // #LETTERS
  end
  return out
end

-- The platform's numbers have a form of their own, and it never sees another: in here the charge has a standard number instead.
-- Returns outward(number), inward(number) and begin(number, context) for the command that makes the number known.
function serials.theirs(name)
  return function(ours)
    return forecourt.table(name):get(ours) or ours
  end, function(theirs)
    return forecourt.table(name):key(theirs) or theirs
  end, function(theirs, context)
    local known = forecourt.table(name)
    -- What has the standard's form is good as it is.
    if #theirs == 27 then
      return theirs
    end
    local ours = known:key(theirs) or owner(context.platform_id) .. digest(theirs)
    known:put(ours, theirs)
    return ours
  end
end

-- We give each charge a number, the answer to the start command tells it, and the platform goes on with it: the operator's id and
-- 18 letters. In here the charge keeps the platform's number. Returns the same three functions.
function serials.ours(name)
  return function(theirs)
    return forecourt.table(name):get(theirs) or theirs
  end, function(ours)
    return forecourt.table(name):key(ours) or ours
  end, function(theirs, context)
    local known = forecourt.table(name)
    known:put(theirs, known:get(theirs) or owner(context.operator_id) .. letters(theirs))
    return theirs
  end
end

return serials

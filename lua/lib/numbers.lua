-- Forms of numbers. Each function here returns a function of one value, for walk.fields:
--   walk.fields(message, { TotalPower = numbers.fixed(3), TotalMoney = numbers.text(2), Status = numbers.text(0) })
-- What is no number (nor a text that is one) stays as it is.
local numbers = {}

local function of_number(change)
  return function(value)
    local number = tonumber(value)
    if not number then
      return value
    end
    return change(number)
  end
end

-- JSON number with exactly so many decimals: 10.000.
function numbers.fixed(decimals)
  return of_number(function(number)
    return fixed(number, decimals)
  end)
end

-- The same as a text: "10.000".
function numbers.text(decimals)
  return of_number(function(number)
    return tostring(fixed(number, decimals))
  end)
end

-- A number again, from a text or a number.
function numbers.plain()
  return of_number(function(number)
    return math.tointeger(number) or number
  end)
end

-- An integer that counts parts: 12.5 yuan with factor 1000000 is 12500000. Half up.
function numbers.scaled(factor)
  return of_number(function(number)
    return math.tointeger(tonumber(tostring(fixed(number * factor, 0))))
  end)
end

function numbers.unscaled(factor)
  return of_number(function(number)
    return number / factor
  end)
end

-- An integer with zeros in front, as a text: 0 with width 6 is "000000".
function numbers.padded(width)
  return of_number(function(number)
    return string.format("%0" .. width .. "d", math.tointeger(number) or 0)
  end)
end

return numbers

local walk = require("walk")

return {
  copy = function(m)
    return walk.copy(m, function(key, value)
      if key == "drop" then
        return nil
      end
      return type(key) == "string" and key:upper() or key, type(value) == "number" and value + 1 or value
    end)
  end,
  copy_keeps_forms = function()
    local m = { n = fixed(10, 3), empty = array(), object = object(), nothing = null, list = { fixed(1, 1), fixed(2, 1) } }
    return walk.copy(m, function(key, value)
      return key, value
    end)
  end,
  copy_does_not_touch = function(m)
    walk.copy(m, function()
      return nil
    end)
    return m
  end,
  at = function(m)
    return walk.at(m, "a.b", function(part, above)
      part.n = (part.n or 0) + above.plus
    end)
  end,
  at_message = function(m)
    return walk.at(m, "", function(part)
      part.seen = true
    end)
  end,
  fields = function(m)
    return walk.fields(m, {
      x = function(v)
        return v .. "!"
      end,
    })
  end,
  examples = {
    {
      call = "copy",
      input = { a = 1, drop = 2, list = { { b = 1, drop = 0 }, { b = 2 } }, texts = { "x" } },
      expect = { A = 2, LIST = { { B = 2 }, { B = 3 } }, TEXTS = { "x" } },
    },
    { call = "copy", input = {}, expect = {} },
    {
      call = "copy_keeps_forms",
      expect = { n = fixed(10, 3), empty = array(), object = object(), nothing = null, list = { fixed(1, 1), fixed(2, 1) } },
    },
    { call = "copy_does_not_touch", input = { a = { b = { 1, 2 } } }, expect = { a = { b = { 1, 2 } } } },
    {
      call = "at",
      input = { a = { { plus = 1, b = { { n = 1 }, { n = 2 } } }, { plus = 5, b = { n = 1 } }, { plus = 1 } } },
      expect = { a = { { plus = 1, b = { { n = 2 }, { n = 3 } } }, { plus = 5, b = { n = 6 } }, { plus = 1 } } },
    },
    { call = "at", input = { a = 7 }, expect = { a = 7 } },
    { call = "at_message", input = {}, expect = { seen = true } },
    {
      call = "fields",
      input = { x = "a", y = { { x = "b", z = 1 }, { x = { "c", "d" } } }, n = { x = null } },
      expect = { x = "a!", y = { { x = "b!", z = 1 }, { x = { "c!", "d!" } } }, n = { x = null } },
    },
    -- A name that holds objects is walked through, not changed.
    { call = "fields", input = { x = { { x = "a" } } }, expect = { x = { { x = "a!" } } } },
  },
}

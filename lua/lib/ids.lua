-- Ids that the platform replaces by its own, both ways.
local enums = require("enums")

local ids = {}

-- From a list in the file, ours = theirs: two functions of an id, outward and inward. Ids that are not listed stay.
function ids.listed(list)
  return enums.both(list)
end

-- Learnt while the station runs, and kept over restarts in a lookup table of this name: outward, inward, learn(ours, theirs).
function ids.kept(name)
  return function(ours)
    return forecourt.table(name):get(ours) or ours
  end, function(theirs)
    return forecourt.table(name):key(theirs) or theirs
  end, function(ours, theirs)
    forecourt.table(name):put(ours, theirs)
  end
end

return ids

-- Field variation 27: the life of a token as a float. One live token at a time is an option of the platform:
--     option keep_old_tokens '0'
-- A platform's own token of whatever life is taken by itself: 7200, 7200.0 or "7200".
return {
  forecourt = 1,
  kind = "operator",
  name = "token",
  description = "Variation 27: the life of a token as a float",
  map = {
    query_token = {
      answer = function(message, context)
        -- What comes from the platform (direction "in") stays as it is.
        if context.direction == "out" then
          message.TokenAvailableTime = fixed(message.TokenAvailableTime, 1)
        end
        return message
      end,
    },
  },
  examples = {
    {
      call = "map.query_token.answer",
      context = { direction = "out" },
      input = { SuccStat = 0, TokenAvailableTime = 7200 },
      expect = { SuccStat = 0, TokenAvailableTime = fixed(7200, 1) },
    },
    {
      call = "map.query_token.answer",
      context = { direction = "in" },
      input = { SuccStat = 0, TokenAvailableTime = 7200 },
      expect = { SuccStat = 0, TokenAvailableTime = 7200 },
    },
  },
}

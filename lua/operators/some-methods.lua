-- Field variation 30: a platform that gets no status pushes, and one more method than the options switch on. What is off is neither
-- sent nor answered (HTTP 404).
return {
  forecourt = 1,
  kind = "operator",
  name = "some-methods",
  description = "Variation 30: single methods off and on",
  methods = { notification_stationStatus = false, notification_station_stats = true },
}

// Package views is how a drift report reads: as text for a terminal, as a page
// for a browser, as measurements for Prometheus and as a message for a chat.
// JSON is the report itself, see drift.Write. Views decide nothing: what is
// new, open or ignored stands in the report.
package views

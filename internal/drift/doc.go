// Package drift is the report of where clusters have left git: what one look
// at them found, since when, and what has become of what the last look found.
//
// It is data and pure functions over data. Who looks, at what and how often is
// the command's business; how a report reads on paper is that of package views,
// where it is kept that of package store.
package drift

// Package store keeps drift reports, so that the next one can say what is new
// and what is resolved: in the clusters' state store, or in a folder.
//
// A report is a compressed file of its own, and so is its entry in the index,
// which has its counts only: thirty nights' worth of them are read in no time.
// Nothing is ever rewritten, so that any number of writers can't get in each
// other's way.
package store

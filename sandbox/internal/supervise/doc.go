// Package supervise keeps the sandbox's processes running: it starts them in
// order, tells when they are ready, starts them again when they crash, keeps
// their logs and stops them. None outlives the program that supervises them.
package supervise

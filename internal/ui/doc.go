// Package ui is how the tool looks: plans, progress, health and prompts, with
// colour and a status line on a terminal and plain lines elsewhere. It prints
// what it is given and decides nothing.
package ui

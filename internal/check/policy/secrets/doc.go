// Package secrets recognises secret material in text: keys and tokens of known
// form, passwords that are written next to the word, and strings that look as if
// they had been made by chance. It knows nothing of repositories or clusters.
//
// It is meant to be right when it says something: what is public though it looks
// random (certificates, digests, UUIDs, public keys) and what stands for a secret
// (variables, templates, examples) is left alone.
package secrets

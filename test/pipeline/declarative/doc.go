// Package declarative reads Jenkins' declarative pipelines and runs them, with
// their steps handed to somebody else.
//
// Jenkins' own validator is part of its server. This package takes less than that
// does, on purpose: the sections, conditions and steps in grammar.go, literal
// arguments, no Groovy code. What it takes, Jenkins takes; a pipeline that wants
// more has to teach it first. So a Jenkinsfile that is read without an error has
// nothing in it that the tests don't run.
package declarative

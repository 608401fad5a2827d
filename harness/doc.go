// Package harness is the engine of Partywall: it attacks the wall between the tenants of a service and says, with
// evidence, whether the wall held or was breached.
//
// # How a verdict comes about
//
// A [Scenario] makes one claim. The [Run] function plans one cell for each scenario, resource and ordered pair of
// tenants, and gives every cell a [World]: fresh objects that belong to the victim, every field of them carrying a
// canary, and one door through which all requests go and are recorded: [World.Attack], [World.Control], [World.Plain] and
// [World.Prepare] say what a request is for. A cell passes through five steps:
//
//  1. setup: the victim's and the attacker's objects are created.
//  2. control: owners reach their own objects with the request that the attack is going to bend.
//  3. check: the state of all the victim's objects is read as their owner.
//  4. attack: the scenario acts as the attacker. It judges nothing.
//  5. check again; control once more: each attacked operation must work for an owner; then cleanup.
//
// What happened is a [History]. Judges are pure functions of it: the canary judge (a foreign actor received a token it
// was never given), the state judge (the victim's objects changed), and, where a scenario has one, its own. The record is
// redacted before any judge sees it, so judging stored evidence gives the same verdict as judging live.
//
// # What is never done
//
// A status code is never a proof. A cell whose controls failed, whose attack sent nothing, or whose target stopped
// answering is inconclusive, never held. A breach that was seen stays a breach whatever failed afterwards.
//
// The package imports the standard library only, and knows neither services nor tests: a [Target] opens a service,
// package partywalltest runs the engine under go test.
package harness

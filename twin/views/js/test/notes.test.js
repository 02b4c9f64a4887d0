// Notes along the bar of time.
import assert from "node:assert/strict";
import { test } from "node:test";

import { noteAt, placeOf, takeNotes } from "../src/data/notes.js";

const notes = [{ id: "a", t_s: 10 }, { id: "b", t_s: 90 }];

test("the nearest note within reach of a pointer", () => {
  assert.equal(noteAt(notes, 100, 0.12, 0.05).id, "a");
  assert.equal(noteAt(notes, 100, 0.5, 0.05), null);
  assert.equal(noteAt([], 100, 0.5, 1), null);
  assert.equal(placeOf({ t_s: 500 }, 100), 1);
});

test("a refusal leaves notes as they are", async () => {
  const app = { changed() {} };
  const trace = { notes: { notes, may: true } };
  assert.equal(await takeNotes(app, trace, Promise.resolve({ wrong: "no" })), "no");
  assert.equal(trace.notes.notes, notes);
  assert.equal(await takeNotes(app, trace, Promise.resolve({ notes: [], may: false })), "");
  assert.deepEqual(trace.notes, { notes: [], may: false });
});

"""The do-calculus as a proof language: proofs, their checker, and the search for one."""

"""What can be written: grammar, syntax trees, string diagrams, formulas, printers, drawings, diagnostics."""

/** A row of a tree as plain data: what stands in it, and what a screen reader says of it. */
export interface Row {
  /** The same for the same thing, whatever happens around it. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Markdown. */
  readonly tooltip: string;
  /** The row in words. */
  readonly spoken: string;
  readonly icon: { readonly name: string; readonly colour: string | null };
  /** Words that menus ask for. */
  readonly flags: string;
  readonly open: "leaf" | "collapsed" | "expanded";
}

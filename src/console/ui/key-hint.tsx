/** A key, or several, that do something here. */
export function KeyHint({ keys, does }: { readonly keys: readonly string[]; readonly does: string }) {
  return (
    <span class="key-hint">
      {keys.map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}{' '}
      {does}
    </span>
  );
}

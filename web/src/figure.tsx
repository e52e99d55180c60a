// SPDX-License-Identifier: Apache-2.0
// One number with its name; stands in a <dl class="figures">.
export function Figure({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}{note && <small> {note}</small>}</dd>
    </div>
  );
}

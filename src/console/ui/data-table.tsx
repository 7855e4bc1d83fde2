import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly render: (row: Row) => ComponentChildren;
  /** Numbers stand at the end. */
  readonly align?: 'start' | 'end';
  /** It can be sorted by this: the title is a button then. */
  readonly isSortable?: boolean;
}

export interface DataTableProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** What the table is of, for those who cannot see it. */
  readonly caption: string;
  /** By a click on the row, or Enter. A link in the first column does the same for who has no mouse. */
  readonly onOpen?: ((row: Row) => void) | undefined;
  /** The key of the row that is chosen by the keyboard. */
  readonly selected?: string | undefined;
  readonly sort?: { readonly key: string; readonly isDescending: boolean } | undefined;
  readonly onSort?: ((key: string) => void) | undefined;
}

/** Rows and columns; on a narrow screen every row is a card, with the columns' titles beside its values. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { columns, rows, rowKey, caption, onOpen, selected } = props;
  return (
    <div class="table-frame">
      <table class={onOpen === undefined ? 'table' : 'table table-open'}>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                class={key === selected ? 'selected' : undefined}
                aria-selected={selected === undefined ? undefined : key === selected}
                onClick={(event) => {
                  if (onOpen !== undefined && !isControl(event.target)) onOpen(row);
                }}
              >
                {columns.map(({ key: name, title, align, render }) => (
                  <td key={name} data-title={title} class={align === 'end' ? 'end' : undefined}>
                    {render(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

interface HeadProps<Row> extends Pick<DataTableProps<Row>, 'sort' | 'onSort'> {
  readonly column: Column<Row>;
}

function Head<Row>({ column, sort, onSort }: HeadProps<Row>) {
  const { key, title, align, isSortable } = column;
  const className = align === 'end' ? 'end' : undefined;
  if (isSortable !== true || onSort === undefined) {
    return (
      <th scope="col" class={className}>
        {title}
      </th>
    );
  }
  const isSorted = sort?.key === key;
  const direction = sort?.isDescending === true ? 'descending' : 'ascending';
  return (
    <th scope="col" class={className} aria-sort={isSorted ? direction : 'none'}>
      <button type="button" class="sort" onClick={() => onSort(key)}>
        {title}
        <span aria-hidden="true">{isSorted ? (sort.isDescending ? ' ↓' : ' ↑') : ' ↕'}</span>
      </button>
    </th>
  );
}

/** A click on a link or a button inside a row is about that link or button. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, input, select, label') !== null;
}

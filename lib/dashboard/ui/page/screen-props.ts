/** What each screen gets. */
export interface ScreenProps {
  /** Of the address. */
  readonly query: URLSearchParams;
}

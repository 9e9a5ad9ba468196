/** Calls back with whether the page can be seen: now, and whenever that changes. @returns a function that ends it */
export function watchVisibility(callback: (isVisible: boolean) => void): () => void {
  const tell = () => callback(document.visibilityState === 'visible');
  document.addEventListener('visibilitychange', tell);
  tell();
  return () => document.removeEventListener('visibilitychange', tell);
}

/** How long what we log in with still holds. No secret is in it. */
export interface CredentialLife {
  /** Epoch milliseconds; left out: it does not end, or nobody says. */
  readonly endsAt?: number;
  /** `none`: beyond that a person must give another one. */
  readonly renewal: 'ok' | 'failing' | 'none';
  /** Why the last renewal failed. */
  readonly why?: string;
}

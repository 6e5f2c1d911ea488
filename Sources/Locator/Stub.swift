import Wire
extension ControllerIdentity {
    init?(answer: CLDAPSearchResponse, in reader: borrowing WireReader) { return nil }
}

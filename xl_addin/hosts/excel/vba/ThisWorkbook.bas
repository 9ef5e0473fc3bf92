Attribute VB_Name = "ThisWorkbook"
Option Explicit

Private Sub Workbook_Open()
    Dim wasSaved As Boolean
    wasSaved = Me.Saved
    RebalRegister Me.Worksheets("Functions")
    ' Registering help is no change of the person's.
    Me.Saved = wasSaved
End Sub
